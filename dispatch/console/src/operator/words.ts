import { words } from "../shared/i18n";
import { en } from "./words_en";
import { ko } from "./words_ko";

export const t = words(en, ko);

/** Reasons that are given often. */
export const quickReasons = (): readonly string[] => t.value.reason.quick;
