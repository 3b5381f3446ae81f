"""Acting: from a task and a route to a trajectory. Decides actions; does not judge them."""
