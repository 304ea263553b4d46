// SPDX-License-Identifier: Apache-2.0
// The login page. A link that carries the token (/#token=...) signs in by itself.

import { errorText, signIn, takeToken } from "/assets/api.js";

const form = document.getElementById("form");
const field = document.getElementById("token");
const button = document.getElementById("submit");
const error = document.getElementById("error");

function enter() {
	const next = sessionStorage.getItem("agent.next") ?? "";
	sessionStorage.removeItem("agent.next");
	location.replace(`/${next.startsWith("#/") ? next : ""}`);
}

async function tryToken(token) {
	button.disabled = true;
	error.textContent = "";
	try {
		const answer = await signIn(token);
		if (answer.ok) return enter();
		await refused(answer);
	} catch {
		error.textContent = "The agent does not answer. Is it running, and is this address right?";
	}
	button.disabled = false;
	field.select();
	field.focus();
}

async function refused(answer) {
	if (answer.status === 429) return waitFor(Number(answer.headers.get("Retry-After")) || 60);
	error.textContent =
		answer.status === 401
			? "This token is not right. Copy the whole of it, without spaces."
			: `The agent refused: ${await errorText(answer)}`;
}

/** Too many tries from this address: counts down, then lets the next one through. */
function waitFor(seconds) {
	const end = Date.now() + seconds * 1000;
	return new Promise((done) => {
		const tick = () => {
			const left = Math.ceil((end - Date.now()) / 1000);
			if (left <= 0) {
				error.textContent = "You can try again now.";
				done();
				return;
			}
			error.textContent = `Too many wrong tokens from this address. Try again in ${left} s.`;
			setTimeout(tick, 250);
		};
		tick();
	});
}

document.getElementById("where").textContent = location.host;
form.addEventListener("submit", (e) => {
	e.preventDefault();
	if (field.value.trim()) tryToken(field.value.trim());
});

const token = takeToken();
if (token) tryToken(token);
