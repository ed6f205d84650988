"""The main job, shown: partners refer people, services act, a provider answers, and every effect is counted."""
