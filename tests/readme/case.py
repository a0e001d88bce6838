import unittest

import page
import service


class Case(unittest.TestCase):
    """A folder for each test, and what they all do with a service."""

    def setUp(self):
        self.folder = service.Folder()
        self.addCleanup(self.folder.close)

    def succeed(self, text):
        done = self.folder.run(text)
        self.assertEqual(done.returncode, 0, f"{text}{done.stdout}{done.stderr}")
        return done.stdout

    def serve_restart_and_stop(self, block):
        """Runs the block, and then the commands that README.md has for every server."""
        with service.Service(self.folder, block) as run:
            self.assertEqual(self.folder.get(), "OK\n")
            said = self.succeed(page.block("Any of them", "sh"))
            self.assertTrue(said.startswith("OK\n"), said)
            self.assertIn("generation 2 serves with ", said)
            self.assertIn(": serving, generation 2: ", said)
            self.assertEqual(run.wait(), 0, run.log())
            self.assertNotIn("killed with its whole process tree", run.log())
