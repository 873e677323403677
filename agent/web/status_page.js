// SPDX-License-Identifier: Apache-2.0
// Keeps the status page fresh by fetching it again, and says so where that fails. The page is whole
// without it.
'use strict';
(() => {
  const kEvery = 5000;         // ms between two fetches
  const kEveryUnseen = 30000;  // where the title alone is seen
  const kPatience = 8000;      // ms for one
  const kCopiedFor = 2000;     // ms for which a button says so
  const kOld = 15000;          // ms after which figures that stay as they are are called old
  const byId = (id) => document.getElementById(id);
  document.documentElement.classList.add('js');

  // ---- how long ago, by the agent's clock
  let ahead = 0;
  const readClock = () => { ahead = Date.now() - Date.parse(byId('upstreams').dataset.now); };
  const age = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 120) return s + ' s';
    if (s < 7200) return Math.floor(s / 60) + ' min';
    if (s < 172800) return Math.floor(s / 3600) + ' h';
    return Math.floor(s / 86400) + ' days';
  };
  const showAges = () => {
    const now = Date.now() - ahead;
    for (const time of document.getElementsByTagName('time')) {
      const text = age(now - Date.parse(time.dateTime));
      if (time.textContent !== text) time.textContent = text;
    }
  };

  // ---- filter
  const filter = byId('filter');
  const applyFilter = () => {
    const wanted = filter.value.trim().toLowerCase();
    let shown = 0;
    for (const section of byId('upstreams').querySelectorAll('section')) {
      let here = 0;
      for (const target of section.querySelectorAll('[data-find]')) {
        target.hidden = !target.dataset.find.toLowerCase().includes(wanted);
        if (!target.hidden) ++here;
      }
      section.hidden = here === 0;
      shown += here;
    }
    byId('nothing').hidden = wanted === '' || shown !== 0;
  };
  filter.addEventListener('input', applyFilter);
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== filter && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      filter.focus();
    }
    if (event.key === 'Escape' && document.activeElement === filter) {
      filter.value = '';
      applyFilter();
    }
  });

  // ---- copying a command
  const copy = async (code) => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      return true;
    } catch {  // not over plain HTTP from another machine
      getSelection().selectAllChildren(code);
      const copied = document.execCommand('copy');
      if (copied) getSelection().removeAllRanges();
      return copied;
    }
  };
  let copied = 0;  // when
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('.copy');
    if (!button) return;
    const done = await copy(button.parentElement.querySelector('code'));
    copied = Date.now();
    button.textContent = done ? 'Copied' : 'Selected';
    // A screen reader is not told of a button's new text.
    byId('said').textContent = done ? 'The command is copied.' : 'The command is selected.';
    setTimeout(() => { button.textContent = 'Copy'; byId('said').textContent = ''; }, kCopiedFor);
  });

  // ---- fresh figures
  const rememberFocus = () => {
    const element = document.activeElement;
    const target = element && element.closest('[data-find]');
    if (!target) return () => {};
    const place = [...target.querySelectorAll(element.tagName)].indexOf(element);
    return () => {
      const now = byId(target.id);
      if (!now) return;
      let again = now.querySelectorAll(element.tagName)[place];
      if (!again) {  // a row has become a card, or the reverse
        again = now;
        now.tabIndex = -1;
      }
      again.focus({ preventScroll: true });
    };
  };
  // What the reader looks at stays where it is, whatever comes in above it.
  const rememberPlace = () => {
    const top = scrollY;
    const seen = [];
    for (const target of byId('upstreams').querySelectorAll('[data-find]')) {
      const box = target.getBoundingClientRect();
      if (box.top > innerHeight) break;
      if (box.bottom <= 0) continue;
      const place = { id: target.id, section: target.parentElement.dataset.standing, top: box.top };
      if (target.contains(document.activeElement)) seen.unshift(place); else seen.push(place);
    }
    return () => {
      scrollTo(scrollX, top);
      if (top === 0) return;
      for (const before of seen) {
        const now = byId(before.id);
        if (!now || now.hidden || now.parentElement.dataset.standing !== before.section) continue;
        scrollBy(0, now.getBoundingClientRect().top - before.top);
        return;
      }
    };
  };
  const takeOver = (fresh) => {
    for (const target of fresh.querySelectorAll('[data-find]')) {
      const before = byId(target.id);
      if (before && 'open' in before && before.open) target.open = true;
    }
  };
  const replace = (page) => {
    const fresh = page.getElementById('upstreams');
    if (!fresh) throw new Error('another page came');
    const placeAgain = rememberPlace();
    const focusAgain = rememberFocus();
    takeOver(fresh);
    byId('upstreams').dataset.now = fresh.dataset.now;
    byId('upstreams').replaceChildren(...document.adoptNode(fresh).childNodes);
    byId('host').replaceWith(document.adoptNode(page.getElementById('host')));
    byId('foot').replaceWith(document.adoptNode(page.getElementById('foot')));
    document.title = page.title;
    const summary = page.getElementById('summary');
    byId('summary').className = summary.className;
    if (byId('summary').textContent !== summary.textContent) {
      byId('summary').textContent = summary.textContent;  // a screen reader says it
    }
    readClock();
    applyFilter();
    focusAgain();
    placeAgain();
  };
  let answered = Date.now();
  const oldBecause = (why) => {
    const text = 'Old figures, of ' + new Date(answered).toLocaleTimeString() + ': ' + why + '.';
    const stale = byId('stale');
    if (stale.textContent !== text) stale.textContent = text;  // said once
    stale.hidden = false;
  };
  const busyHere = () => {
    const selection = getSelection();
    return selection && !selection.isCollapsed && byId('upstreams').contains(selection.anchorNode);
  };
  const refresh = async () => {
    if (busyHere()) {
      if (Date.now() - answered > kOld) oldBecause('there are no new ones while text is selected');
      return;
    }
    if (Date.now() - copied < kCopiedFor) return;
    try {
      const response = await fetch(location.pathname, { cache: 'no-store', signal: AbortSignal.timeout(kPatience) });
      if (!response.ok) {
        oldBecause('the agent answers ' + response.status);
        return;
      }
      const text = await response.text();
      if (busyHere()) return;
      replace(new DOMParser().parseFromString(text, 'text/html'));
      answered = Date.now();
      byId('stale').hidden = true;
    } catch (error) {
      oldBecause(error.message === 'another page came' ? 'another page came' : 'the agent does not answer');
    }
  };
  let timer = 0;
  let asking = false;
  const next = async () => {
    if (asking) return;
    clearTimeout(timer);
    asking = true;
    await refresh();
    asking = false;
    timer = setTimeout(next, document.hidden ? kEveryUnseen : kEvery);
  };
  document.addEventListener('visibilitychange', () => { if (!document.hidden) next(); });
  readClock();
  setInterval(showAges, 1000);
  timer = setTimeout(next, kEvery);
})();
