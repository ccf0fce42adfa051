// What riders read, on the page with the map and on the plain one.

import { words } from "../shared/i18n";
import { en } from "./words_en";
import { ko } from "./words_ko";

export const t = words(en, ko);
