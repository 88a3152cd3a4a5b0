"""The variables that mark the processes of a stack, so that they are found also after their parent has died."""

STATE = "ML_PLATFORM_STATE"  # the state folder: in every process of the stack
SERVER = "ML_PLATFORM_SERVER"  # the name of the server: in its process and in all that it has started
