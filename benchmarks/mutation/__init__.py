"""Mutation testing: would the tests notice if a line of the code were wrong?"""
