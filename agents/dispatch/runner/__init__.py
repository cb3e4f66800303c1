"""The runner: a plain process that leases jobs, runs their step confined, and reports. No agent, no Faust."""
