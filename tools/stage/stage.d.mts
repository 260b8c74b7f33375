/** Lays a package out in `to` as it is published. @returns `to` */
export declare function stage(folder: string, to: string): Promise<string>;
/** The folder that a package is packed from: its own, or one that is there while this process runs. */
export declare function asPublished(folder: string): Promise<string>;
