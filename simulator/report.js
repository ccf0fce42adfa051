(() => {
  const map = document.getElementById("map");
  if (!map) return;
  const whole = map.viewBox.baseVal, full = [whole.x, whole.y, whole.width, whole.height];
  let view = [...full], held = null;
  const show = () => map.setAttribute("viewBox", view.join(" "));
  const zoom = (factor, fx = 0.5, fy = 0.5) => {
    const w = Math.min(full[2], Math.max(full[2] / 16, view[2] / factor)), h = (w * full[3]) / full[2];
    view = [view[0] + (view[2] - w) * fx, view[1] + (view[3] - h) * fy, w, h];
    if (w === full[2]) view = [...full];
    show();
  };
  document.querySelectorAll("[data-zoom]").forEach((button) =>
    button.addEventListener("click", () => zoom(button.dataset.zoom > 0 ? 1.6 : 1 / 1.6)));
  document.querySelectorAll("[data-layer]").forEach((box) =>
    box.addEventListener("change", () => (document.getElementById(box.dataset.layer).style.display = box.checked ? "" : "none")));
  map.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // plain scrolling scrolls the page
    event.preventDefault();
    const at = map.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, (event.clientX - at.left) / at.width, (event.clientY - at.top) / at.height);
  }, { passive: false });
  map.addEventListener("pointerdown", (event) => {
    if (view[2] === full[2]) return;
    held = [event.clientX, event.clientY, ...view];
    map.setPointerCapture(event.pointerId);
    map.classList.add("held");
  });
  map.addEventListener("pointermove", (event) => {
    if (!held) return;
    const scale = view[2] / map.getBoundingClientRect().width;
    view = [held[2] - (event.clientX - held[0]) * scale, held[3] - (event.clientY - held[1]) * scale, view[2], view[3]];
    show();
  });
  ["pointerup", "pointercancel"].forEach((name) => map.addEventListener(name, () => ((held = null), map.classList.remove("held"))));
})();
