// Boarding with the rider's code: typed, or read from the QR code where the phone can.

import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../phone/Icon";
import { Sheet, Trouble } from "../phone/Parts";
import { did } from "./shift";
import type { Boarding } from "./types";
import { t } from "./words";

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
type DetectorMaker = new (options: { formats: string[] }) => Detector;

/** The phone's own reader of QR codes; null: it has none. */
function detector(): Detector | null {
  const maker = (window as { BarcodeDetector?: DetectorMaker }).BarcodeDetector;
  if (maker === undefined || navigator.mediaDevices === undefined) return null;
  try {
    return new maker({ formats: ["qr_code"] });
  } catch {
    return null;
  }
}

/** Whose ride a scanned text is, and its code; null: it is no boarding pass. */
export function readPass(text: string): { ride: string; code: string } | null {
  const found = /^NARU:([^\s/?:]{1,80}):(\d{4})$/.exec(text);
  return found === null ? null : { ride: found[1] ?? "", code: found[2] ?? "" };
}

export function CodeSheet({ who, all, onClose }: { who: Boarding; all: readonly Boarding[]; onClose: () => void }) {
  const [code, setCode] = useState("");
  const [scanning, setScanning] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const w = t.value.code;
  const board = (event: Event) => {
    event.preventDefault();
    if (!/^\d{4}$/.test(code)) return;
    did("boarded", { ride: who.ride, code });
    onClose();
  };
  const scanned = (text: string): boolean => {
    const pass = readPass(text);
    if (pass === null || !all.some((one) => one.ride === pass.ride)) {
      setTrouble(w.unknown);
      return false;
    }
    did("boarded", pass);
    onClose();
    return true;
  };
  return (
    <Sheet title={`${w.title}: ${who.name ?? t.value.who.unnamed}`} onClose={onClose}>
      <form class="stack" onSubmit={board}>
        <div class="field">
          <label for="boarding-code">{w.hint}</label>
          <input
            id="boarding-code"
            class="digits huge"
            type="text"
            inputMode="numeric"
            autocomplete="off"
            maxLength={4}
            pattern="[0-9]{4}"
            value={code}
            onInput={(event) => setCode(event.currentTarget.value.replace(/\D/g, ""))}
          />
        </div>
        <button class="thumb" disabled={code.length !== 4}>
          {w.use}
        </button>
        {detector() !== null && (
          <button type="button" class="button big" onClick={() => setScanning(!scanning)}>
            <Icon name="code" /> {scanning ? w.stopScan : w.scan}
          </button>
        )}
        {scanning && (
          <Camera
            onText={scanned}
            onFailed={() => {
              setScanning(false);
              setTrouble(w.noCamera);
            }}
          />
        )}
        <Trouble text={trouble} />
      </form>
    </Sheet>
  );
}

function Camera({ onText, onFailed }: { onText: (text: string) => boolean; onFailed: () => void }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    let stream: MediaStream | null = null;
    let timer = 0;
    let gone = false;
    const reader = detector();
    const look = async (): Promise<void> => {
      if (gone || reader === null || video.current === null) return;
      const found = await reader.detect(video.current).catch(() => []);
      if (gone || found.some((one) => onText(one.rawValue))) return;
      timer = window.setTimeout(() => void look(), 250);
    };
    const start = async (): Promise<void> => {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
      if (gone || video.current === null) return;
      video.current.srcObject = stream;
      await video.current.play();
      await look();
    };
    start().catch(onFailed);
    return () => {
      gone = true;
      clearTimeout(timer);
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
  }, []);
  return (
    <div class="stack">
      <p class="muted">{t.value.code.scanning}</p>
      <video ref={video} class="camera" muted playsInline />
    </div>
  );
}
