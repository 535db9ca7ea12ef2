#pragma once

namespace reconciler {

/// Before other threads are made: lets all of them share few heaps, so that what one frees another can use.
void share_heaps();

/// Gives back to the system what is free but still held. A cold start and a thousand canaries at once need more than
/// being at rest does. Costs milliseconds or more: for a moment when nothing is to be done.
void give_back_memory();

}  // namespace reconciler
