"""A synthetic force: people on duty, the records they look up, the reasons they type, and misuse hidden among it.

Nothing of it is read by the detector, and it reads nothing of the detector's features, rules or models: a yardstick
that shared code with what it measures would agree with it. All people, records and places are invented.

    options -> world (units, people, indices, roster, cases, ties, watch)    once
            -> a day's look-ups (jobs, casework, desks, twins, misuse)       for each day, forgotten when written
            -> events/FEED/*.parquet, reference/*.csv, labels.csv, groups.csv
"""
