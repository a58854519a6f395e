"""Many accounts, all faults at once, workers killed at random: does the truth come out?"""
