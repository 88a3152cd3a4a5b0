"""`python -m ml_platform.streaming`: score the streams of all data sets that say `stream: true`."""

from ml_platform.streaming.server import main

if __name__ == "__main__":
    main()
