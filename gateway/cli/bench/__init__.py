"""`tabian bench`: a module for each thing that is measured on a running stack (`measure_…(yard)`), and what they are held
against. Not here: how the stack is started and asked (`gateway.cli.yard`), and the load itself (`deploy.rehearsal.load`)."""
