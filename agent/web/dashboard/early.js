// SPDX-License-Identifier: Apache-2.0
// A classic script, loaded before the page is drawn: a chosen theme never flashes the other one first, and a page
// whose scripts did not arrive (the network changed just then) is loaded again by itself.
(function () {
	"use strict";

	var RELOADS = 3;
	var RELOAD_MS = 2000;

	function stored(storage, name) {
		try {
			return window[storage].getItem(name);
		} catch {
			return null; // storage is forbidden
		}
	}

	function again() {
		var n = Number(stored("sessionStorage", "agent.reloads") || 0);
		if (n >= RELOADS) return;
		try {
			sessionStorage.setItem("agent.reloads", String(n + 1));
			location.reload();
		} catch {
			// Without storage nobody counts: better no reload than one without end.
		}
	}

	var theme = stored("localStorage", "agent.theme");
	if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;

	addEventListener(
		"error",
		function (e) {
			var tag = e.target && e.target.tagName;
			if (tag === "SCRIPT" || tag === "LINK") setTimeout(again, RELOAD_MS);
		},
		true,
	);
})();
