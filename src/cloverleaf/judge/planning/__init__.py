"""Motion planning judged on CommonRoad scenarios: closed-loop drives, their costs, solution files."""
