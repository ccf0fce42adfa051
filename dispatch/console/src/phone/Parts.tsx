// Small parts that riders' and drivers' pages share.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { chooseLanguage, language, LANGUAGES } from "../shared/i18n";
import { chooseTheme, theme, type Theme } from "../shared/theme";
import { Icon } from "./Icon";
import { phone } from "./words";

/** One of a few, all to be seen. */
export function Choice<T extends string>(props: {
  name: string;
  label: string;
  hidden?: boolean;
  options: readonly (readonly [T, string])[];
  chosen: T;
  onChoose: (one: T) => void;
}) {
  return (
    <fieldset class="choice">
      <legend class={props.hidden ? "visually-hidden" : ""}>{props.label}</legend>
      <div class="choice-row">
        {props.options.map(([value, text]) => (
          <label key={value} class={value === props.chosen ? "on" : ""}>
            <input type="radio" name={props.name} value={value} checked={value === props.chosen} onChange={() => props.onChoose(value)} />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** A number of people, larger and smaller. */
export function Stepper(props: { label: string; value: number; least: number; most: number; shown: string; less: string; more: string; onChange: (value: number) => void }) {
  const { value, least, most } = props;
  return (
    <div class="stepper" role="group" aria-label={props.label}>
      <span class="stepper-label">{props.label}</span>
      <button type="button" aria-label={props.less} disabled={value <= least} onClick={() => props.onChange(value - 1)}>
        −
      </button>
      <output aria-live="polite">{props.shown}</output>
      <button type="button" aria-label={props.more} disabled={value >= most} onClick={() => props.onChange(value + 1)}>
        +
      </button>
    </div>
  );
}

export function LanguageChoice() {
  const names = { ko: phone.value.korean, en: phone.value.english };
  return <Choice name="language" label={phone.value.language} options={LANGUAGES.map((one) => [one, names[one]] as const)} chosen={language.value} onChoose={chooseLanguage} />;
}

export function LookChoice() {
  const { auto, light, dark } = phone.value;
  const options = [["auto", auto], ["light", light], ["dark", dark]] as const;
  return <Choice<Theme> name="look" label={phone.value.look} options={options} chosen={theme.value} onChoose={chooseTheme} />;
}

/** The other language, one tap away: named in itself. */
export function OtherLanguage() {
  const other = language.value === "ko" ? "en" : "ko";
  return (
    <button type="button" class="quiet" lang={other} onClick={() => chooseLanguage(other)}>
      {other === "ko" ? phone.value.korean : phone.value.english}
    </button>
  );
}

/** Over everything else until it is closed: the focus goes in, and comes back. */
export function Sheet(props: { title: string; onClose: () => void; children: ComponentChildren; full?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element !== null && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault();
    props.onClose();
  };
  return (
    <dialog ref={dialog} class={props.full ? "sheet full" : "sheet"} aria-label={props.title} onCancel={cancel}>
      <header class="sheet-head">
        <h2>{props.title}</h2>
        <button type="button" class="round" aria-label={phone.value.close} onClick={props.onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="sheet-body">{props.children}</div>
    </dialog>
  );
}

/** Says itself when it appears. */
export function Trouble({ text }: { text: string | null }) {
  return (
    <div role="alert" class={text === null ? "trouble empty" : "trouble"}>
      {text !== null && (
        <p class="note bad">
          <Icon name="alert" /> <span>{text}</span>
        </p>
      )}
    </div>
  );
}
