// SPDX-License-Identifier: Apache-2.0
// Which metrics share a chart, as tables. What no group names gets a chart by its unit (specs.js), so that a new
// metric is never invisible.
//
// A group: {id, title, unit, series: [[metric, label, colour, options]], stack, minTop, top, ...} as in chart.js.

const LINE = { line: true };
const DASH = { dash: true };

export const GROUPS = {
	host: [
		{
			id: "cpu",
			title: "CPU",
			stack: true,
			minTop: 10,
			series: [
				["cpu_user_percent", "user", 0],
				["cpu_nice_percent", "nice", 4],
				["cpu_system_percent", "system", 1],
				["cpu_iowait_percent", "I/O wait", 3],
				["cpu_irq_percent", "IRQ", 5],
				["cpu_steal_percent", "steal", 6],
				["cpu_used_percent", "used, peak", 7, { peak: true }],
			],
		},
		{
			id: "memory",
			title: "Memory",
			stack: true,
			series: [
				["memory_used_bytes", "used", 0],
				["memory_cache_bytes", "cache", 2, { alpha: 0.55 }],
				["memory_buffers_bytes", "buffers", 4, { alpha: 0.55 }],
				["memory_free_bytes", "free", "faint", { alpha: 0.25 }],
				["swap_used_bytes", "swap", 1, LINE],
			],
			full: "memory_total_bytes",
			events: true,
		},
		{
			id: "load",
			title: "Load",
			minTop: 1,
			series: [
				["load1", "1 min", 0],
				["load5", "5 min", 2],
				["load15", "15 min", 1],
			],
			limit: "cpu_cores",
			limitLabel: "cores",
		},
		{
			id: "network",
			title: "Network",
			minTop: 10240,
			series: [
				["network_received_bytes_per_second", "received", 0],
				["network_sent_bytes_per_second", "sent", 1],
			],
		},
		{
			id: "disk",
			title: "Disk throughput",
			minTop: 10240,
			series: [
				["disk_read_bytes_per_second", "read", 2],
				["disk_written_bytes_per_second", "written", 1],
			],
		},
		{
			id: "pressure",
			title: "Pressure: time spent waiting",
			minTop: 5,
			series: [
				["pressure_cpu_some_percent", "CPU", 0],
				["pressure_memory_some_percent", "memory", 2],
				["pressure_memory_full_percent", "memory, all", 2, DASH],
				["pressure_io_some_percent", "I/O", 1],
				["pressure_io_full_percent", "I/O, all", 1, DASH],
			],
		},
		{
			id: "swap",
			title: "Swap traffic",
			minTop: 10240,
			series: [
				["swap_in_bytes_per_second", "in", 0],
				["swap_out_bytes_per_second", "out", 1],
			],
		},
		{
			id: "tcp",
			title: "TCP connections",
			minTop: 10,
			series: [
				["tcp_established", "established", 0],
				["tcp_time_wait", "TIME-WAIT", 3],
				["tcp_close_wait", "CLOSE-WAIT", 1],
				["tcp_syn_received", "SYN-RECV", 2],
				["tcp_orphans", "orphans", 5],
			],
		},
		{
			id: "retransmits",
			title: "TCP segments sent again",
			minTop: 1,
			series: [["tcp_retransmit_percent", "retransmits", 1]],
		},
		{ id: "processes", title: "Processes", minTop: 10, series: [["processes_total", "all", 0]] },
		{
			id: "tasks",
			title: "Tasks running and blocked",
			minTop: 4,
			series: [
				["processes_running", "running", 0],
				["processes_blocked", "blocked", 1],
			],
		},
		{
			id: "switches",
			title: "Context switches and interrupts",
			series: [
				["context_switches_per_second", "switches", 0],
				["interrupts_per_second", "interrupts", 1],
			],
		},
	],
	container: "cgroup",
	service: "cgroup",
	cgroup: [
		{
			id: "cpu",
			title: "CPU",
			minTop: 5,
			limit: (v) => (v.cpu_limit_cores === null ? null : 100 * v.cpu_limit_cores),
			limitLabel: "limit",
			series: [
				["cpu_used_percent", "used", 0],
				["cpu_user_percent", "user", 2],
				["cpu_system_percent", "system", 1],
			],
		},
		{
			id: "memory",
			title: "Memory",
			minTop: 1 << 20,
			limit: "memory_limit_bytes",
			limitLabel: "limit",
			series: [
				["memory_used_bytes", "used", 0],
				["memory_anon_bytes", "anonymous", 1],
				["memory_file_bytes", "file cache", 2],
				["memory_swap_bytes", "swap", 3],
			],
			events: true,
		},
		{
			id: "network",
			title: "Network",
			minTop: 1024,
			series: [
				["network_received_bytes_per_second", "received", 0],
				["network_sent_bytes_per_second", "sent", 1],
			],
		},
		{
			id: "disk",
			title: "Disk",
			minTop: 1024,
			series: [
				["disk_read_bytes_per_second", "read", 2],
				["disk_written_bytes_per_second", "written", 1],
			],
		},
		{
			id: "throttled",
			title: "CPU limit and throttling",
			minTop: 10,
			series: [
				["cpu_limit_used_percent", "used of limit", 0],
				["cpu_throttled_percent", "periods throttled", 1],
			],
		},
		{
			id: "operations",
			title: "Disk operations",
			minTop: 5,
			series: [
				["disk_reads_per_second", "reads", 2],
				["disk_writes_per_second", "writes", 1],
			],
		},
		{
			id: "pressure",
			title: "Pressure: time spent waiting",
			minTop: 5,
			series: [
				["pressure_cpu_some_percent", "CPU", 0],
				["pressure_memory_some_percent", "memory", 2],
				["pressure_io_some_percent", "I/O", 1],
			],
		},
		{
			id: "processes",
			title: "Processes",
			minTop: 5,
			series: [["processes", "processes", 0]],
			limit: "processes_limit",
			limitLabel: "limit",
		},
	],
	filesystem: [
		{
			id: "percent",
			title: "Used",
			top: 100,
			series: [
				["used_percent", "space", 0],
				["inodes_used_percent", "inodes", 1],
			],
		},
		{
			id: "bytes",
			title: "Space",
			series: [
				["used_bytes", "used", 0],
				["size_bytes", "size", "faint", { dash: true }],
			],
		},
	],
};

/** Not worth a chart of their own: they are shown as marks, or say the same as another chart. */
export const SKIPPED = {
	host: [
		"memory_total_bytes",
		"memory_available_bytes",
		"memory_used_percent",
		"swap_used_percent",
		"uptime_seconds",
		"oom_kills",
	],
	container: ["oom_kills", "restarts", "memory_used_percent", "healthy"],
	service: ["oom_kills", "restarts", "memory_used_percent", "healthy"],
	filesystem: ["available_bytes"],
	disk: [],
};
