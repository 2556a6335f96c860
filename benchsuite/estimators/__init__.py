"""Estimators of the quality of architectures; called as a function, the package lists their names."""

from benchsuite.core.packages import make_callable

make_callable(__name__)
