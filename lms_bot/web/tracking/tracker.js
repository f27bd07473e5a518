/* lms_bot: tells of the student who looks at this page that they are there, and what they watch. docs/tracking.md

   <script src="/lms-bot/tracker.js" data-token="..." data-lesson="42" defer></script>

   data-token      the student's token, which the page may replace at any time; or
   data-token-url  where to fetch one, again when it has expired
   data-lesson     the lesson of the page's videos; on a <video>, or around it, of that one */
(function () {
  "use strict";
  const HEARTBEAT = 300000, REPORT = 7000, LONGEST = 30, JUMP = 2, MOST_WAITING = 50;
  const script = document.currentScript;
  const base = new URL(".", script.src).href + "api/";
  const videos = new Map();
  let waiting = [], fetched = null, isUsed = true, beatAt = -Infinity;

  /* Tokens. */

  function token(isOld) {
    if (script.dataset.token && !isOld) return Promise.resolve(script.dataset.token);
    const url = script.dataset.tokenUrl;
    if (!url) return Promise.resolve(script.dataset.token || "");
    if (isOld || !fetched) {
      const asked = fetched = fetch(url, { cache: "no-store" })
        .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error("no token"))))
        .then((text) => (script.dataset.token = text.trim()))
        .finally(() => { if (fetched === asked) fetched = null; });
    }
    return fetched;
  }

  function send(path, body, sent) {
    return fetch(base + path, {
      method: "POST",
      headers: { "Authorization": "Bearer " + sent, "Content-Type": "application/json" },
      body: JSON.stringify(body || {}),
      credentials: "omit",
      keepalive: true,
    });
  }

  async function post(path, body) {
    /* Without waiting where the token is there: a page that is closed runs nothing later. */
    let sent = script.dataset.token || "", answer = null;
    if (sent) answer = await send(path, body, sent);
    if (!answer || answer.status === 401) {
      const next = script.dataset.token && script.dataset.token !== sent ? script.dataset.token : await token(!!sent);
      if (next && next !== sent) answer = await send(path, body, next);
    }
    if (!answer || answer.status === 401 || answer.status === 429 || answer.status >= 500) throw new Error("not taken");
    return answer.json();
  }

  /* Presence: while the page is seen and used, or something plays. */

  function beat() {
    const isPlaying = [...videos.keys()].some((video) => !video.paused && !video.ended);
    const now = performance.now();
    if (document.hidden || !(isUsed || isPlaying) || now - beatAt < HEARTBEAT) return;
    beatAt = now;
    isUsed = false;
    post("activity/update/").catch(() => { beatAt = -Infinity; isUsed = true; });
  }

  /* Videos: each report says what was played without a jump, so that losing one only makes it less. */

  function lessonOf(video) {
    const around = video.closest("[data-lesson]");
    return around ? around.dataset.lesson : script.dataset.lesson;
  }

  function report(video) {
    const seen = videos.get(video), lesson = lessonOf(video);
    if (!seen || !lesson || seen.since === null || seen.at <= seen.since) return;
    const body = { watch_percentage: 0, timestamp: seen.at, since: seen.since };
    if (Number.isFinite(video.duration) && video.duration > 0) {
      body.duration = video.duration;
      body.watch_percentage = Math.min(100, 100 * seen.at / video.duration);
    }
    seen.since = seen.at;
    seen.sentAt = performance.now();
    tell({ video: video, path: "lessons/" + encodeURIComponent(lesson) + "/progress/", body: body });
  }

  function tell(one) {
    post(one.path, one.body).then((answer) => {
      one.video.dispatchEvent(new CustomEvent("lms_bot", { bubbles: true, detail: answer }));
      const again = waiting;
      waiting = [];
      again.forEach(tell);
    }, () => { waiting = waiting.concat(one).slice(-MOST_WAITING); });
  }

  function follow(event) {
    const video = event.target;
    if (!(video instanceof HTMLVideoElement)) return;
    if (!videos.has(video)) videos.set(video, { since: null, at: 0, sentAt: -Infinity });
    const seen = videos.get(video), time = video.currentTime;
    if (event.type === "seeking" || event.type === "emptied") {
      report(video);
      seen.since = null;
      return;
    }
    if (video.seeking) return;
    const jumped = seen.since !== null && (time < seen.at || time - seen.at > JUMP * Math.max(1, video.playbackRate));
    if (jumped) report(video);
    if (seen.since === null || jumped) {
      if (event.type === "timeupdate" && video.paused) return;
      seen.since = time;
      seen.sentAt = performance.now();
    }
    seen.at = time;
    const isEnd = event.type === "pause" || event.type === "ended" || event.type === "ratechange";
    if (isEnd || time - seen.since >= LONGEST || performance.now() - seen.sentAt >= REPORT) report(video);
    if (event.type === "pause" || event.type === "ended") seen.since = null;
  }

  for (const name of ["playing", "timeupdate", "pause", "ended", "seeking", "ratechange", "emptied"]) {
    document.addEventListener(name, follow, true);
  }
  for (const name of ["pointerdown", "pointermove", "keydown", "scroll", "touchstart"]) {
    document.addEventListener(name, () => { isUsed = true; }, { capture: true, passive: true });
  }
  function leave() { videos.forEach((_, video) => report(video)); }
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : beat()));
  addEventListener("pagehide", leave);
  setInterval(beat, 5000);
  beat();

  /* For the page's own button: a promise of the answer, which may say that a quiz comes first. */
  window.lmsBot = { complete: (lesson) => post("lessons/" + encodeURIComponent(lesson) + "/complete/") };
})();
