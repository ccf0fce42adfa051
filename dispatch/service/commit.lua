-- One batch of commits, all or nothing: events, idempotency keys and outgoing messages.
--
-- KEYS: fence, head, log of the day, idempotency keys of the day, outbox, days
-- ARGV: fence, day, seq built on, token of the batch,
--       number of events, their log lines …, number of keys, (key, what happened) …, number of messages, the messages …
-- Answers: {'DONE', seq} | {'FENCED', fence} | {'STALE', day, seq} | {'USED', key}
--
-- The seq is the version of the whole world, so of every plan in it: a batch decided on any other world is stale.

local fence = redis.call('GET', KEYS[1])
if fence ~= ARGV[1] then return {'FENCED', fence or ''} end

local head = redis.call('HMGET', KEYS[2], 'day', 'seq', 'token')
local day, seq, token = head[1] or '', tonumber(head[2] or '0'), head[3]
if token == ARGV[4] then return {'DONE', seq} end -- the same batch again: its answer was lost on the way
local base = tonumber(ARGV[3])
local next_day = base == 0 and day < ARGV[2]
if not next_day and (day ~= ARGV[2] or seq ~= base) then return {'STALE', day, seq} end

local at = 5
local events = tonumber(ARGV[at])
local keys_at = at + events + 1
local keys = tonumber(ARGV[keys_at])
for k = keys_at + 1, keys_at + 2 * keys, 2 do
  if redis.call('HEXISTS', KEYS[4], ARGV[k]) == 1 then return {'USED', ARGV[k]} end
end

-- nothing below can fail but for want of memory or disk, and then the server refuses the script as a whole
for k = 1, events do
  redis.call('XADD', KEYS[3], string.format('%.0f-0', base + k), 'e', ARGV[at + k])
end
for k = keys_at + 1, keys_at + 2 * keys, 2 do
  redis.call('HSET', KEYS[4], ARGV[k], ARGV[k + 1])
end
local messages_at = keys_at + 2 * keys + 1
for k = messages_at + 1, messages_at + tonumber(ARGV[messages_at]) do
  redis.call('XADD', KEYS[5], '*', 'm', ARGV[k])
end
redis.call('HSET', KEYS[2], 'day', ARGV[2], 'seq', string.format('%.0f', base + events), 'token', ARGV[4])
if next_day then redis.call('SADD', KEYS[6], ARGV[2]) end
return {'DONE', base + events}
