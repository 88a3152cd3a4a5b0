"""The variables that mark the processes of a stack, so that they are found also after their parent has died."""

STATE = "ML_PLATFORM_STATE"  # the state folder: in every process of the stack
SERVER = "ML_PLATFORM_SERVER"  # the name of the server: in its process and in all that it has started
FOLDER = (
    "ML_PLATFORM_FOLDER"  # where all processes of the server work; only of a server whose children lose their marks
)
USER = "ML_PLATFORM_USER"  # as whom the server runs; only of one that refuses to run as root
