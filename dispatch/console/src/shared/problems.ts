// Why the service said no, in the page's language. English words are the service's own.

import { ApiProblem, Unreachable } from "./api";
import { clock } from "./format";
import { language } from "./i18n";
import type { Why } from "./types";

const KO: Readonly<Record<string, string>> = {
  bad_request: "요청을 읽을 수 없습니다.",
  invalid: "입력한 내용 가운데 쓸 수 없는 것이 있습니다.",
  too_large: "보낸 내용이 너무 큽니다.",
  unsupported_type: "보낸 형식을 받을 수 없습니다.",
  not_found: "여기에는 아무것도 없습니다.",
  method_not_allowed: "여기서는 할 수 없습니다.",
  too_many_calls: "호출이 너무 많습니다. 잠시 후 다시 해 주세요.",
  no_token: "먼저 로그인해 주세요.",
  bad_token: "로그인이 만료되었습니다. 다시 로그인해 주세요.",
  wrong_role: "이 화면을 볼 권한이 없습니다.",
  wrong_zone: "다른 구역에 로그인되어 있습니다.",
  wrong_code: "인증번호가 맞지 않거나 만료되었습니다.",
  wrong_pin: "기사 이름과 PIN이 맞지 않습니다.",
  unknown_stop: "그런 정류장이 없습니다.",
  outside_zone: "운행 구역 밖입니다. 걸어갈 수 있는 정류장이 없습니다.",
  same_place: "출발과 도착 정류장이 같습니다. 걸어가는 거리입니다.",
  time_past: "이미 지난 시각입니다.",
  time_beyond: "예약할 수 있는 기간을 넘었습니다.",
  two_times: "출발 시각과 도착 시각 가운데 하나만 정해 주세요.",
  party_too_large: "한 번에 예약할 수 있는 인원을 넘었습니다.",
  too_many_wheelchairs: "휠체어 수가 인원보다 많습니다.",
  no_such_request: "그런 요청이 없습니다.",
  no_such_ride: "그런 탑승이 없습니다.",
  bad_quote: "이 서비스의 제안이 아닙니다.",
  not_your_quote: "다른 분께 드린 제안입니다.",
  quote_expired: "제안 시간이 지났습니다. 다시 찾아 주세요.",
  quote_gone: "방금 다른 분이 예약했습니다. 다시 찾으면 다른 방법을 보여 드립니다.",
  already_answered: "이미 답한 요청입니다.",
  key_reused: "같은 번호로 다른 요청을 보냈습니다.",
  too_late_to_cancel: "이제는 취소할 수 없습니다. 이미 탑승했거나 끝났습니다.",
  not_yet_over: "운행이 끝난 뒤에 할 수 있습니다.",
  not_aboard: "운행 전이나 운행 중에만 셔틀이 보입니다.",
  no_such_rider: "그런 승객이 없습니다.",
  stop_closed: "지금 닫혀 있는 정류장입니다.",
  too_late_to_change: "이제는 바꿀 수 없습니다. 이미 탑승했거나 끝났거나 예약되지 않은 탑승입니다.",
  change_not_possible: "그렇게 바꿀 수 없습니다. 예약은 그대로입니다.",
  back_before: "돌아오는 편이 가는 편보다 먼저입니다.",
  no_service: "그날은 운행하지 않습니다.",
  too_many_templates: "정기 예약이 너무 많습니다.",
  no_such_date: "그날은 정기 예약이 없습니다.",
  still_planned: "그 시각 이후에도 운행 계획이 있습니다. 먼저 탑승을 다른 셔틀로 옮겨 주세요.",
  lent_out: "그 시각에는 다른 구역에 빌려 준 셔틀입니다.",
  lent_outside: "앞으로 남은 근무 시간만 다른 구역에 빌려 줄 수 있습니다.",
  no_such_trial: "그런 실험이 없습니다.",
  trial_known: "같은 이름의 실험이 이미 있습니다.",
  trial_overlaps: "그 기간에 다른 실험 일정이 있습니다.",
  plan_unreadable: "`naru trial plan`이 쓴 실험 계획이 아닙니다.",
  plan_altered: "작성된 뒤에 바뀐 실험 계획입니다.",
  stop_known: "그런 정류장이 이미 있습니다.",
  off_the_streets: "그 자리 가까이에 도로가 없습니다.",
  no_such_template: "그런 정기 예약이 없습니다.",
  suspended: "알리지 않은 미탑승 때문에 당분간 예약할 수 없습니다.",
  no_such_shift: "그런 근무가 없습니다.",
  no_such_driver: "그런 기사가 없습니다.",
  shift_not_open: "근무가 끝났거나 운행하지 않는 셔틀입니다.",
  shift_taken: "다른 기사가 그 근무를 하고 있습니다.",
  still_aboard: "아직 타고 있거나 태워야 할 승객이 있습니다.",
  not_driving: "셔틀이 운행 중이 아닙니다.",
  already_driving: "셔틀이 이미 운행 중입니다.",
  nowhere_to_go: "갈 곳이 없습니다.",
  not_there: "셔틀이 그 승객의 정류장에 있지 않습니다.",
  not_on_your_plan: "이 셔틀의 운행 계획에 없는 탑승입니다.",
  wrong_boarding_code: "이 탑승의 번호가 아닙니다.",
  too_early: "승객에게는 더 늦은 시각을 약속했습니다.",
  no_break_now: "당장은 쉴 틈이 없습니다. 타고 있거나 태우러 가기로 약속한 승객이 있습니다.",
  break_planned: "이미 잡아 둔 휴식이 있습니다.",
  clock_wrong: "기기 시각이 서비스 시각과 너무 다릅니다.",
  no_such_shuttle: "그런 셔틀이 없습니다.",
  no_such_edge: "이 지도에 없는 도로입니다.",
  no_street_there: "그곳에는 도로가 없습니다.",
  not_possible: "그 셔틀로는 모든 약속을 지키며 태울 수 없습니다.",
  acted_meanwhile: "그 사이 다른 관제사가 처리했습니다. 무엇을 했는지 보고 결정해 주세요.",
  ride_not_open: "끝났거나 예약된 적이 없는 탑승입니다.",
  nothing_to_change: "이미 그렇게 되어 있습니다.",
  no_such_moment: "그 시각의 기록이 없습니다.",
  no_such_day: "그날의 기록이 없습니다.",
  log_unreadable: "그날의 기록을 읽을 수 없습니다.",
  other_map: "그날은 다른 지도나 지금은 없는 정류장으로 운행했습니다.",
  no_such_result: "그런 결과가 없습니다.",
  no_such_complaint: "그런 불편 신고가 없습니다.",
  paused: "지금은 새 예약을 받지 않습니다.",
  store_down: "지금은 저장할 수 없습니다. 아무것도 바뀌지 않았습니다. 잠시 후 다시 해 주세요.",
  not_leader: "다른 서버가 이 구역을 맡고 있습니다. 잠시 후 다시 해 주세요.",
  starting: "서비스를 시작하고 있습니다. 잠시 후 다시 해 주세요.",
  defect: "서비스에 문제가 생겼습니다. 기록해 두었습니다.",
};

/** What went wrong, for a person. */
export function problemWords(error: unknown): string {
  const korean = language.value === "ko";
  if (error instanceof ApiProblem) {
    const said = korean ? (KO[error.code] ?? error.message) : error.message;
    return error.fields.length ? `${said} (${error.fields.join("; ")})` : said;
  }
  if (error instanceof Unreachable)
    return korean ? "서비스에 연결할 수 없습니다. 연결되면 이어서 보여 드립니다." : "The service cannot be reached. This page goes on as soon as it answers.";
  return korean ? "이 화면에 문제가 생겼습니다." : "Something is wrong on this page.";
}

const WHY_KO: Readonly<Record<string, string>> = {
  off_shift: "그 시각에는 운행하는 셔틀이 없습니다.",
  out_of_the_way: "이 바쁜 시간에 셔틀이 너무 멀리 돌아가야 합니다. 서비스의 운영 규칙입니다.",
  out_of_reach: "어느 셔틀도 제시간에 정류장까지 갈 수 없습니다.",
  full: "제시간에 갈 수 있는 셔틀에 이 인원이 앉을 자리가 없습니다.",
  pickup_late: "가까운 셔틀은 다른 승객을 먼저 태워야 해서 너무 늦습니다.",
  dropoff_late: "태울 수는 있지만 늦어도 되는 시각까지 도착할 수 없습니다.",
  others_promises: "이미 예약한 승객과의 약속을 어기게 됩니다.",
  party_too_large: "한 번에 예약할 수 있는 인원을 넘었습니다.",
  no_way: "두 정류장 사이에 길이 없습니다.",
  shift_ends: "갈 수 있는 셔틀의 근무가 먼저 끝납니다.",
  past: "원하신 시각이 이미 지났습니다.",
  paused: "지금은 새 예약을 받지 않습니다.",
  not_carried: "그날의 셔틀로는 더 이상 태울 수 없습니다.",
  horizon: "예약할 수 있는 기간을 넘었습니다.",
};

/** Why a ride cannot be had as asked, and what would have worked. */
export function whyWords(why: Why): string {
  if (language.value !== "ko") return why.words;
  const parts = [WHY_KO[why.code ?? ""] ?? why.words];
  if (why.shuttles_on_shift) parts.push(`운행 중인 ${why.shuttles_on_shift}대 가운데 ${why.shuttles_in_reach}대가 닿을 수 있었습니다.`);
  if (why.nearest_pickup_at !== null) parts.push(`가장 빠른 탑승은 ${clock(why.nearest_pickup_at)}입니다.`);
  return parts.join(" ");
}
