// Asks the browser for a passkey and puts what it says into the form. Without this file
// the form stays out of sight and a code from the authenticator does the same.
"use strict";

const form = document.getElementById("passkey");
const asked = JSON.parse(form.dataset.asked);

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function listed(credentials) {
  return (credentials ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
}

async function make() {
  const publicKey = {
    ...asked,
    challenge: bytes(asked.challenge),
    user: { ...asked.user, id: bytes(asked.user.id) },
    excludeCredentials: listed(asked.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey });
  return [made, {
    clientDataJSON: text(made.response.clientDataJSON),
    attestationObject: text(made.response.attestationObject),
    transports: made.response.getTransports?.() ?? [],
  }];
}

async function show() {
  const publicKey = {
    ...asked,
    challenge: bytes(asked.challenge),
    allowCredentials: listed(asked.allowCredentials),
  };
  const shown = await navigator.credentials.get({ publicKey });
  return [shown, {
    clientDataJSON: text(shown.response.clientDataJSON),
    authenticatorData: text(shown.response.authenticatorData),
    signature: text(shown.response.signature),
  }];
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const trouble = form.querySelector("[role=alert]");
  trouble.hidden = true;
  try {
    const [credential, response] = await (asked.user ? make() : show());
    const { id, type } = credential;
    form.elements.answer.value = JSON.stringify({ id, rawId: id, type, response });
    form.submit();
  } catch {
    trouble.hidden = false;
    trouble.focus();
  }
});

if (window.PublicKeyCredential) {
  form.hidden = false;
} else {
  document.getElementById("no-passkey")?.removeAttribute("hidden");
}
