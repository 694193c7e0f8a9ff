// A process that lives for months, mostly waiting, is judged by its resident size.
#pragma once

namespace godwit::cli {

// Before any thread starts. One arena instead of one a thread keeps what the lists of a start leave behind in one
// place; fixed thresholds give it back to the system instead of growing with the largest list seen. The operator's two
// dozen threads are bounded by the API server, not by malloc's lock.
void frugalHeap();

// Gives back what a start has used and nobody will soon use again: free heap, and the resident pages of program code,
// most of which the kernel mapped around what ran once. Code that is needed again is mapped again from the page cache,
// at some microseconds a page. Harmless at any time; for the quiet after a start.
void releaseMemory();

}  // namespace godwit::cli
