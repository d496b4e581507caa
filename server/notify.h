// SPDX-License-Identifier: MIT
/* Tells systemd (or whoever set NOTIFY_SOCKET) how the process is. Source: sd_notify(3), "Standalone Implementations".
 */
#pragma once

/* state: "READY=1", "STOPPING=1", "RELOADING=1". Without NOTIFY_SOCKET nothing happens; never blocks; a notification
 * that cannot be sent is dropped, because nothing depends on it here. */
void notify_state(const char *state);
