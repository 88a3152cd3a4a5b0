"""The servers: `node` has the shapes, each other module describes one server, `inventory` lists them all."""
