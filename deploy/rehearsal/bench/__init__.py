"""The yardsticks: what Tabian is held against on the same machine, with the same bytes and the same durability, each written
to win. They measure and compare nothing themselves: the ratios are `tabian bench`'s."""
