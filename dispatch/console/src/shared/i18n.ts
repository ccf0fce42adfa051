// Words in two languages. A dictionary is an object of strings and of functions that put values into a sentence;
// the Korean one must have the shape of the English one, or it does not compile.

import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";

export type Language = "ko" | "en";
export const LANGUAGES: readonly Language[] = ["ko", "en"];

type Entry = string | ((...values: never[]) => string) | { readonly [key: string]: Entry } | readonly string[];
export type Translated<T> = {
  readonly [K in keyof T]: T[K] extends (...values: infer V) => string
    ? (...values: V) => string
    : T[K] extends readonly string[]
      ? readonly string[]
      : T[K] extends string
      ? string
      : Translated<T[K]>;
};

const KEPT = "naru.language";

function first(): Language {
  const asked = new URLSearchParams(location.search).get("lang");
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEPT);
  } catch {
    // storage is forbidden
  }
  for (const one of [asked, kept]) if (one === "ko" || one === "en") return one;
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

/** The page's language: `?lang=`, else what was chosen before, else the browser's. */
export const language = signal<Language>(first());

export function chooseLanguage(chosen: Language): void {
  language.value = chosen;
  try {
    localStorage.setItem(KEPT, chosen);
  } catch {
    // storage is forbidden: for this page only
  }
}

effect(() => {
  document.documentElement.lang = language.value;
});

/** A page's words: `const t = words(en, ko)`, then `t.value.key` in a component. */
export function words<const T extends { readonly [key: string]: Entry }>(en: T, ko: NoInfer<Translated<T>>): ReadonlySignal<Translated<T>> {
  return computed(() => (language.value === "ko" ? ko : (en as unknown as Translated<T>)));
}
