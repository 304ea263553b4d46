/* SPDX-License-Identifier: Apache-2.0
 *
 * The handlers of the route table, one resource per file.
 */
#ifndef AGENT_WEB_HANDLERS_H
#define AGENT_WEB_HANDLERS_H

#include "agent/web/call.h"

void api_alerts_ack(struct call *c); /* api_alerts.c */
void api_alerts_get(struct call *c);
void api_alerts_rules(struct call *c);
void api_apps_check(struct call *c); /* api_deploys.c */
void api_apps_deploy(struct call *c);
void api_apps_get(struct call *c);
void api_apps_rollback(struct call *c);
void api_backups_cancel(struct call *c); /* api_backups.c */
void api_backups_get(struct call *c);
void api_backups_job(struct call *c);
void api_backups_run(struct call *c);
void api_backups_runs(struct call *c);
void api_backups_runs_one(struct call *c);
void api_channels_get(struct call *c); /* api_notify.c */
void api_channels_test(struct call *c);
void api_chart_get(struct call *c); /* api_chart.c */
void api_classes_get(struct call *c); /* api_classes.c */
void api_deliveries_get(struct call *c); /* api_notify.c */
void api_deploys_cancel(struct call *c); /* api_deploys.c */
void api_deploys_get(struct call *c);
void api_deploys_one(struct call *c);
void api_deploys_refused(struct call *c);
void api_entities_get(struct call *c); /* api_entities.c */
void api_events_get(struct call *c); /* api_notify.c */
void api_events_post(struct call *c);
void api_host_get(struct call *c); /* api_host.c */
void api_series_get(struct call *c); /* api_series.c */
void api_session_delete(struct call *c); /* api_session.c */
void api_session_get(struct call *c);
void api_session_post(struct call *c);
void api_silences_delete(struct call *c); /* api_alerts.c */
void api_silences_get(struct call *c);
void api_silences_post(struct call *c);
void deploy_log_get(struct call *c); /* log_stream.c */
void dokploy_containers_get(struct call *c); /* dokploy_containers.c */
void dokploy_server_get(struct call *c); /* dokploy_server.c */
void health_get(struct call *c); /* health.c */
void live_get(struct call *c); /* live.c */
void openapi_get(struct call *c); /* openapi.c */
void pages_asset(struct call *c); /* pages.c */
void pages_index(struct call *c);
void pages_login(struct call *c);
void prometheus_get(struct call *c); /* prometheus.c */
void webhook_post(struct call *c); /* webhook.c */

#endif
