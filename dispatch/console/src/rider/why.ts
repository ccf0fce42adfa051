// "Why not now?": the receipt of an answer as a rider reads it, from its code and its counts.

import { words } from "../shared/i18n";
import type { Why } from "../shared/types";

const t = words(
  {
    causes: {
      off_shift: "No shuttle is on the road at that time.",
      out_of_the_way: "At this busy hour it is too far out of the way for the shuttles: a rule of the service.",
      out_of_reach: "No shuttle can be at your stop in time, not even by driving there straight away.",
      full: "The shuttles that could come in time have no free place for your party.",
      pickup_late: "The shuttles near you have to carry others first and would reach you too late.",
      dropoff_late: "A shuttle could come, but would not arrive by the latest time.",
      others_promises: "Taking you along would make other riders late, who were promised a time before.",
      party_too_large: "Your party is larger than one booking may be.",
      stop_closed: "The only stop near enough to you, or to where you go, has been closed.",
      no_way: "There is no road from the one stop to the other just now.",
      shift_ends: "Every shuttle that could come ends its shift before you would arrive.",
      past: "The latest time that you asked for has passed.",
      paused: "The service is paused: no new rides are taken just now.",
      horizon: "That is farther ahead than rides can be booked.",
      unknown: "No shuttle can take you at that time.",
    },
    counted: (all: number) => (all === 1 ? "One shuttle is on the road." : `${all} shuttles are on the road.`),
    passed: (n: number) =>
      n === 1
        ? "One passes near you. It may look empty, but its next places are promised to others."
        : `${n} pass near you. They may look empty, but their next places are promised to others.`,
  },
  {
    causes: {
      off_shift: "그 시각에는 운행하는 셔틀이 없습니다.",
      out_of_the_way: "이 바쁜 시간에는 셔틀이 너무 멀리 돌아가야 합니다. 서비스의 운영 규칙입니다.",
      out_of_reach: "지금 바로 출발해도 제시간에 정류장에 올 수 있는 셔틀이 없습니다.",
      full: "제시간에 올 수 있는 셔틀에 일행이 탈 자리가 없습니다.",
      pickup_late: "가까운 셔틀은 다른 승객을 먼저 태워야 해서 너무 늦게 도착합니다.",
      dropoff_late: "셔틀이 올 수는 있지만 늦지 않게 도착지에 갈 수 없습니다.",
      others_promises: "함께 태우면 먼저 시각을 약속받은 다른 승객이 늦어집니다.",
      party_too_large: "한 번에 예약할 수 있는 인원보다 많습니다.",
      stop_closed: "가까운 정류장이 폐쇄되어 이용할 수 없습니다.",
      no_way: "지금은 두 정류장을 잇는 길이 없습니다.",
      shift_ends: "올 수 있는 셔틀이 모두 도착 전에 운행을 마칩니다.",
      past: "원하신 시각이 지났습니다.",
      paused: "운행이 일시 중지되어 지금은 새 예약을 받지 않습니다.",
      horizon: "예약할 수 있는 기간보다 먼 시각입니다.",
      unknown: "그 시각에는 태워 드릴 셔틀이 없습니다.",
    },
    counted: (all) => `지금 셔틀 ${all}대가 운행 중입니다.`,
    passed: (n) => `셔틀 ${n}대가 가까이 지나갑니다. 비어 보여도 다음 자리는 다른 승객과 약속되어 있습니다.`,
  },
);

/** One to three sentences: what stood in the way, how many shuttles there were, and those that pass by. */
export function reasons(why: Why): string[] {
  const { causes, counted, passed } = t.value;
  const cause = why.code !== null && why.code in causes ? causes[why.code as keyof typeof causes] : causes.unknown;
  const out = [cause];
  if (why.shuttles_on_shift > 0) out.push(counted(why.shuttles_on_shift));
  if (why.passed_by > 0) out.push(passed(why.passed_by));
  return out;
}
