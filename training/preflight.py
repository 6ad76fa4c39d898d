def check_fit(*a, **k):
    pass
