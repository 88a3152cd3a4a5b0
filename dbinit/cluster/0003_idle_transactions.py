"""A transaction of Airflow that does nothing for two minutes is ended, with its locks.

A process that hangs would keep them, and the scheduler skips runs that are locked.
"""

from alembic import op

revision = "cluster_0003"
down_revision = "cluster_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER ROLE airflow SET idle_in_transaction_session_timeout = '2min'")


def downgrade() -> None:
    op.execute("ALTER ROLE airflow RESET idle_in_transaction_session_timeout")
