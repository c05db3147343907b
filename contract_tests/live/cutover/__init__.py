"""`make cutover`: the runbook of docs/cutover.md, played on loopback under load with a real proxy before both apps."""
