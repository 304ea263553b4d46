// SPDX-License-Identifier: Apache-2.0
// What a backup needs, with a configuration to paste, and how to get data back.

import { el } from "/assets/dom.js";

const EXAMPLE = `databases = {
  shop = { engine = "postgresql"; container = "shop-db"; schedule = "0 3 * * *"; keep = { daily = 7; weekly = 4; }; };
};
stores = {
  offsite = { type = "s3"; endpoint = "https://s3.example.com"; bucket = "backups"; credentials_file = "/etc/agent/s3.cred"; };
};`;

const code = (text) => el("code", {}, text);

export const howToBackUp = () => [
	el(
		"p",
		{},
		"A backup is a dump of a database or an archive of a folder: compressed, encrypted if you like, sent to a store without a copy on this disk, and checked. In /etc/agent/agent.conf:",
	),
	el("pre", { tabindex: "0" }, EXAMPLE),
	el(
		"p",
		{},
		"Engines: postgresql, mysql, mariadb, mongodb, redis, sqlite, directory, volume, command; without ",
		code("container"),
		" the database is one of this server. Without ",
		code("stores"),
		" backups go to a folder of the agent on this server, which does not survive the loss of its disk.",
	),
	el(
		"p",
		{},
		"Then ",
		code("agent config check"),
		", ",
		code("agent config reload"),
		", ",
		code("agent backup doctor"),
		" to see whether tools, passwords and stores are right, and ",
		code("agent backup now shop"),
		" for the first one. The manual page agent.conf(5) has all options.",
	),
];

/** `name` of the job. */
export const howToRestore = (name) => [
	el("p", {}, "On the server, because it overwrites data; each says what it will do and asks first:"),
	el(
		"pre",
		{ tabindex: "0" },
		`agent backup restore ${name}                        the newest good one
agent backup restore ${name} --at "2026-11-20 03:00"  as it was then; or the beginning of an id
agent backup restore ${name} --into ${name}_copy         beside the one in use, to look at it
agent backup restore ${name} --to ./${name}.dump         only the file`,
	),
	el(
		"p",
		{},
		"On a new server the configuration file and the credentials of the store are enough; with encryption also the private key.",
	),
];
