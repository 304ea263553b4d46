// SPDX-License-Identifier: Apache-2.0
// What the first app needs: a configuration to paste, and where deliveries go.

import { el } from "/assets/dom.js";

const EXAMPLE = `apps = {
  shop = {
    source = "https://git.example.com/me/shop.git";
    domain = "shop.example.com"; route = "caddy";
    health = { path = "/healthz"; };
    webhook = { provider = "github"; secret_file = "/etc/agent/shop.secret"; };
  };
};`;

const code = (text) => el("code", {}, text);

export const howToDeploy = () => [
	el(
		"p",
		{},
		"A push becomes a running, healthy version, or nothing changed: the source is fetched and built, the new version starts beside the one that serves, gets the requests once it is healthy, and is watched; if anything fails, the old one serves on. In /etc/agent/agent.conf:",
	),
	el("pre", { tabindex: "0" }, EXAMPLE),
	el(
		"p",
		{},
		"Build from a Dockerfile unless ",
		code("build"),
		" says otherwise (nixpacks, buildpacks, compose, static, nix, image, command); the router is caddy, nginx, haproxy or traefik. Then ",
		code("agent config check"),
		", ",
		code("agent config reload"),
		", ",
		code("agent deploy check shop"),
		" to see whether all hooks are right, and ",
		code("agent deploy now shop --follow"),
		" for the first one.",
	),
	el(
		"p",
		{},
		"Afterwards by itself with each push: a webhook of the git host to ",
		code(`${location.origin}/deploy/shop`),
		" with the secret of the file, or ",
		code("agent deploy repo shop"),
		", which makes a repository on this server to push to. The manual page agent.conf(5) has all options.",
	),
];
