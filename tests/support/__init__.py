"""What tests share: databases, builders, a running installation, guards over a whole run."""
