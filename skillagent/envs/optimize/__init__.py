"""Optimisation modelling: word problems, a small linear or integer model as the answer, HiGHS as the judge."""
