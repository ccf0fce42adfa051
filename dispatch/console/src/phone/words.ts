// Words that riders' and drivers' pages share.

import { words } from "../shared/i18n";

export const phone = words(
  {
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    noMap: "The map cannot be shown on this phone. Everything works without it.",
    connecting: "Connecting to the service …",
    lost: "No connection. Trying again …",
    close: "Close",
    back: "Back",
    language: "Language",
    korean: "한국어",
    english: "English",
    look: "Colours",
    auto: "As the phone",
    light: "Light",
    dark: "Dark",
    development: "Trial mode: sign-in codes are shown on the screen.",
  },
  {
    zoomIn: "확대",
    zoomOut: "축소",
    noMap: "이 휴대폰에서는 지도를 볼 수 없습니다. 지도 없이도 모두 이용할 수 있습니다.",
    connecting: "서비스에 연결하는 중입니다 …",
    lost: "연결이 끊겼습니다. 다시 연결하는 중 …",
    close: "닫기",
    back: "뒤로",
    language: "언어",
    korean: "한국어",
    english: "English",
    look: "화면 색",
    auto: "휴대폰 설정대로",
    light: "밝게",
    dark: "어둡게",
    development: "시험 모드: 인증번호가 화면에 표시됩니다.",
  },
);
