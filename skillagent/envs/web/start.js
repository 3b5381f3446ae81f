// Start: begins a MiniWoB page's task from a seed and returns its goal in words. Math.seedrandom, core and WOB_* are the page's.
async (seed) => {
  while (!core.cover_div || !WOB_TASK_READY) await new Promise((resolve) => setTimeout(resolve, 5));
  const style = document.createElement("style");
  style.textContent = "#reward-display, #click-canvas { visibility: hidden !important }";
  document.head.append(style);
  Math.seedrandom(seed);
  core.EPISODE_MAX_TIME = 1e6;
  core.startEpisodeReal();
  const told = core.getUtterance();
  const said = typeof told === "string" ? told : told.utterance;
  // Some goals show a colour or an icon, which the words leave out.
  const parts = [...document.querySelectorAll("#query *")];
  const shown = parts.filter((part) => !part.childNodes.length && part.offsetWidth);
  const words = (part) => part.style.backgroundColor || part.className.replace(/\bui-icon\b-?/g, "").trim();
  const missing = shown.map(words).filter((word) => word && !said.includes(word));
  return said + missing.map((word) => ` (shown: ${word})`).join("");
}
