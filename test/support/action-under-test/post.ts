/** The post step of the scripted action. */
import './scripted.ts';
