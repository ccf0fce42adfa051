-- Take or keep the lead of a zone. Time is the store's own, so that dispatchers' clocks don't matter.
--
-- KEYS: lease, fence
-- ARGV: who, lease in ms, fence held ('' to take the lead), '1' if whoever led before is known to be dead
-- Answers: {'LEADS', fence} | {'HELD', ms left} | {'LOST'}

local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local lease = tonumber(ARGV[2])
local held = redis.call('HMGET', KEYS[1], 'owner', 'ends')
local owner, left = held[1], tonumber(held[2] or '0') - now

if ARGV[3] ~= '' then
  if owner ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[3] then return {'LOST'} end
  redis.call('HSET', KEYS[1], 'ends', string.format('%.0f', now + lease))
  return {'LEADS', ARGV[3]}
end

-- a lease that seems to last longer than any lease does was written before the store's clock was set back
if owner and owner ~= ARGV[1] and ARGV[4] ~= '1' and left > 0 and left <= lease then return {'HELD', left} end
local fence = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'ends', string.format('%.0f', now + lease))
return {'LEADS', string.format('%.0f', fence)}
