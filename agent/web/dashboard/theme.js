// SPDX-License-Identifier: Apache-2.0
// A classic script, loaded before the page is drawn, so that a chosen theme never flashes the other one first.
(function () {
	"use strict";
	try {
		var theme = localStorage.getItem("agent.theme");
		if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
	} catch {
		// Storage is forbidden: the system's theme it is.
	}
})();
