print("emt")
