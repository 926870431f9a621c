"""The rim: everything that leaves or enters by HTTP passes here, bounded in time and size, and read strictly."""
