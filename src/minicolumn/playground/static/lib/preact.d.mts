/** What a component draws. */
export type VNode = any;
export class Component<P = {}, S = {}> { constructor(props?: P); props: P; state: S; setState(change: Partial<S>): void; render(props: P, state: S): VNode; }
export const Fragment: any;
export function h(type: any, props: any, ...children: any[]): VNode;
export function render(node: VNode, parent: Element): void;
export function createContext<T>(value: T): any;
