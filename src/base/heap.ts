/** A binary heap: `pop` gives the smallest element by `before`, a strict total order. */
export interface Heap<T> {
  readonly size: number;
  push(element: T): void;
  peek(): T | undefined;
  pop(): T | undefined;
}

export function createHeap<T>(before: (a: T, b: T) => boolean): Heap<T> {
  const slots: T[] = [];

  function siftUp(element: T, from: number): void {
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = slots[parentAt] as T;
      if (!before(element, parent)) break;
      slots[at] = parent;
      at = parentAt;
    }
    slots[at] = element;
  }

  function siftDown(element: T): void {
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= slots.length) break;
      const rightAt = childAt + 1;
      if (rightAt < slots.length && before(slots[rightAt] as T, slots[childAt] as T)) {
        childAt = rightAt;
      }
      const child = slots[childAt] as T;
      if (!before(child, element)) break;
      slots[at] = child;
      at = childAt;
    }
    slots[at] = element;
  }

  return {
    get size() {
      return slots.length;
    },
    push: (element) => siftUp(element, slots.length),
    peek: () => slots[0],
    pop() {
      const top = slots[0];
      const last = slots.pop();
      if (slots.length > 0) siftDown(last as T);
      return top;
    },
  };
}
