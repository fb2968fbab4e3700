/** How a graph is first seen: all of it, unless the screen is so small that nothing could be read. */
export const firstView = { padding: 0.1, maxZoom: 1, minZoom: window.innerWidth < 720 ? 0.5 : 0.1 };
