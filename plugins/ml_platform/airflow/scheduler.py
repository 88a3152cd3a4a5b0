"""`python -m ml_platform.airflow.scheduler ARGUMENTS`: `airflow scheduler ARGUMENTS`, which loads the library first.

The scheduler writes its first heartbeat before it starts its executor, and the next one after it. Loading the library
takes ten seconds, and three times as long where the processor is busy. Then Airflow would report a scheduler that has
just started as healthy, and soon after as unhealthy.
"""

import sys

from airflow.__main__ import main

from ml_platform.airflow import executor

if __name__ == "__main__":
    executor.load_library()
    sys.argv[1:1] = ["scheduler"]
    main()  # type: ignore[no-untyped-call] # Airflow does not type it
