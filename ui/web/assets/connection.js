// Without a connection, the page says so, keeps the question, and asks it when it is told to retry.
// Gradio calls `fetch` for everything; when it has lost the connection, it asks for the server's id
// every two seconds and reloads the page once there is an answer.
(() => {
  const KEPT = 'backfile-question', AGAIN = 'backfile-again';
  const LOADED = '#bf-banner header';  // is there once the page has its contents
  const RECENT = 30_000;  // milliseconds in which a question that was sent is shown, or lost
  const UNREACHABLE = [502, 503, 504];  // statuses of a proxy without its server
  const root = new URL('.', document.baseURI).href;  // the address changes with what is shown
  const find = (what) => document.querySelector(what);
  const words = () => find('#bf-words')?.dataset ?? {};
  const field = () => find('#bf-question textarea');
  const plain = window.fetch.bind(window);
  let isLost = false;  // a request has failed
  let pending = '';  // the question that has no answer
  let asked = {question: '', at: -Infinity};  // the one that was sent last

  const note = () => {
    find('.bf-offline')?.remove();
    document.body?.classList.toggle('bf-lost', isLost);
    if (navigator.onLine && !isLost) return;
    const said = document.createElement('p');
    const again = document.createElement('button');
    said.className = 'bf-offline';
    said.setAttribute('role', 'alert');
    again.type = 'button';
    again.textContent = words().retry ?? '';
    again.addEventListener('click', retry);
    said.append(`${words().offline ?? ''} `, again);
    find('#bf-banner')?.append(said);
  };
  const keep = (question) => {
    pending = question || pending;
    if (!pending || !field() || field().value.trim()) return;
    field().value = pending;
    field().dispatchEvent(new Event('input', {bubbles: true}));
  };
  const unanswered = () => {
    const last = [...document.querySelectorAll('.bf-turn')].at(-1);
    const shown = last?.querySelector('.bf-asked').textContent;
    if (['waiting', 'growing'].includes(last?.dataset.progress)) return shown;
    const {question, at} = asked;
    return performance.now() - at < RECENT && question.trim() !== shown ? question : '';
  };
  const lose = () => {
    keep(unanswered());
    if (isLost) return;
    isLost = true;
    note();
  };
  // Words that were only typed are not asked.
  const isPending = () => pending !== '' && field()?.value.trim() === pending.trim();
  const retry = async () => {
    try {
      const reached = await plain(`${root}gradio_api/app_id`, {cache: 'no-store'});
      if (!reached.ok) throw new Error(reached.statusText);
    } catch {
      note();
      return;
    }
    if (isLost) {  // what Gradio knew of its requests is lost, too
      if (isPending()) sessionStorage.setItem(AGAIN, find('#bf-mode input:checked')?.value ?? 'answer');
      location.reload();
      return;
    }
    note();
    if (navigator.onLine && isPending()) find('#bf-question .submit-button')?.click();
  };

  window.fetch = async (resource, options) => {
    const {href, pathname} = new URL(resource?.url ?? resource, document.baseURI);
    if (!href.startsWith(`${root}gradio_api/`)) return plain(resource, options);
    if (pathname.endsWith('/app_id')) {
      lose();
      if (pending) throw new TypeError('The page is reloaded when the reader says so.');
    }
    try {
      const reached = await plain(resource, options);
      if (UNREACHABLE.includes(reached.status)) lose();
      return reached;
    } catch (error) {
      if (error.name !== 'AbortError') lose();
      throw error;
    }
  };

  // A question that is asked without a connection stays in its field.
  const askedBy = ({type, target, key, shiftKey}) => {
    if (type === 'keydown') {
      return key === 'Enter' && !shiftKey && target.closest?.('#bf-question textarea') && field().value;
    }
    if (target.closest?.('#bf-question .submit-button')) return field().value;
    return target.closest?.('[data-do="suggested"]')?.dataset.question;
  };
  const hold = (event) => {
    const question = askedBy(event);
    if (!question) return;
    asked = {question, at: performance.now()};
    if (navigator.onLine && !isLost && find(LOADED)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    keep(question);
    if (!navigator.onLine || isLost) note();
    else askWhenLoaded();
  };
  // What loads the page would replace the answer to a question that is asked before.
  let isWaiting = false;
  const askWhenLoaded = () => {
    if (isWaiting) return;
    isWaiting = true;
    whenThere(LOADED, () => requestAnimationFrame(() => {
      isWaiting = false;
      if (field()?.value.trim()) find('#bf-question .submit-button')?.click();
    }));
  };
  addEventListener('keydown', hold, true);
  addEventListener('click', hold, true);
  addEventListener('online', note);
  addEventListener('offline', note);

  // The question outlives that the page is loaded again.
  addEventListener('pagehide', () => sessionStorage.setItem(KEPT, field()?.value ?? ''));
  const whenThere = (what, then, frames = 3600) => {
    const there = find(what);
    if (there?.offsetParent) then(there);
    else if (frames) requestAnimationFrame(() => whenThere(what, then, frames - 1));
  };
  whenThere('#bf-question textarea', (there) => {
    const kept = sessionStorage.getItem(KEPT), mode = sessionStorage.getItem(AGAIN);
    sessionStorage.removeItem(KEPT);
    sessionStorage.removeItem(AGAIN);
    if (!kept || there.value) return;
    there.value = kept;
    there.dispatchEvent(new Event('input', {bubbles: true}));
    if (mode === null) return;
    whenThere(LOADED, () => requestAnimationFrame(() => {
      find(`#bf-mode input[value="${CSS.escape(mode)}"]:not(:checked)`)?.click();
      find('#bf-question .submit-button')?.click();
    }));
  });
})();
