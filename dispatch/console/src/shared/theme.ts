// Light by day, dark at night: as the system has it, or as chosen.

import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
const KEPT = "naru.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function first(): Theme {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept === "light" || kept === "dark") return kept;
  } catch {
    // storage is forbidden
  }
  return "auto";
}

export const theme = signal<Theme>(first());
/** whether colours are the dark ones now */
export const dark = signal(false);

effect(() => {
  dark.value = theme.value === "dark" || (theme.value === "auto" && system.matches);
  document.documentElement.dataset["theme"] = dark.value ? "dark" : "light";
});
system.addEventListener("change", () => {
  if (theme.peek() === "auto") dark.value = system.matches;
  document.documentElement.dataset["theme"] = dark.value ? "dark" : "light";
});

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  try {
    if (chosen === "auto") localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, chosen);
  } catch {
    // storage is forbidden: for this page only
  }
}

/** A colour of base.css by its name, for what CSS cannot reach (the map). */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
