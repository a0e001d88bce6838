#pragma once

#include <holdfast/worker.hpp>

// Each function causes a fault that delays a drain or makes it fail. A function that blocks does so forever.

void stick_in_a_request(holdfast::Worker& worker);
void leak_a_request(holdfast::Worker& worker);
void run_a_deaf_task(holdfast::Worker& worker);
void keep_work(holdfast::Worker& worker);
void overstay_in_a_session(holdfast::Worker& worker);
void crowd_with_sessions(holdfast::Worker& worker);
void hang_in_a_close(holdfast::Worker& worker);
void throw_in_a_close(holdfast::Worker& worker);
void use_in_a_cycle(holdfast::Worker& worker);
void block_in_a_destructor(holdfast::Worker& worker);
